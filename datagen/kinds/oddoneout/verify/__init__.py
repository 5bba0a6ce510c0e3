"""What `datagen verify` knows of scenes."""
