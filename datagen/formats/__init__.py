"""Published layouts as bytes: names, JSON, PNG, pickled npy, OBJ; read and write.

Knows no job and no store: what it makes are bytes and relative paths.
"""
