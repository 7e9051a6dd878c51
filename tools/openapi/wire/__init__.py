"""What goes over the wire, one module for each contract: the bodies that handlers read and render, as models.

The handlers do not use them: a contract is a fact of its own, and the tests hold both sides to it.
"""
