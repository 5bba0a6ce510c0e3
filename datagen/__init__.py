"""datagen: conditional 3D anomaly-detection datasets from part-annotated meshes."""

__version__ = "0.1.0"
