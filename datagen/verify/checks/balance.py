"""Does anything but the object tell the label?"""
