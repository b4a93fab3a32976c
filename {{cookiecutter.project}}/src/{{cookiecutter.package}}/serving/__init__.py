"""The model server; it knows the bundle and nothing of training, MLflow or Kubernetes."""
