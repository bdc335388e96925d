"""Taking a mail apart, in a child process with limits on its time and memory. No Django in here.

`children.read` and `children.part` are the doors; everything else runs in the child.
"""
