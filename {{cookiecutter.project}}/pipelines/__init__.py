"""Kubeflow: the package's steps as components, and the training pipeline made of them."""
