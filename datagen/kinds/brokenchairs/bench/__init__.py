"""What `datagen bench` measures on datasets of chairs: `parts.BENCHES`."""
