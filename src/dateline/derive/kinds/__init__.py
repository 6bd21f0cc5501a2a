"""The kinds of views, one file each: what may be declared of it, and which rows it gives."""
