"""
Books of calls: what each took, where that is written, and sums over it.

Nothing that was said in a call enters here.
"""
