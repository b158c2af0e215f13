"""Records as the documents and rows of other programs: everything but writing them."""
