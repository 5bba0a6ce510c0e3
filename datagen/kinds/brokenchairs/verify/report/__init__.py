"""The blocks of the report that show chairs."""
