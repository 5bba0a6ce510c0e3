"""What `datagen verify` knows of chairs."""
