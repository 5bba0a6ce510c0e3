"""Animals, by how they live and move. Each module has one builder for each species."""
