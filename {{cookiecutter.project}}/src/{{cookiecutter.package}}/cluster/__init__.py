"""The environments that are in a Kubernetes cluster. Nothing else in the package knows Kubernetes."""
