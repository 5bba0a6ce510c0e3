"""What every plug-in of a seam has to do: one class a seam. A new plug-in is tested by naming it in a subclass.

class TestMySource(SourceConformance):
    def open(self, tmp_path): return MySource(...)
"""
