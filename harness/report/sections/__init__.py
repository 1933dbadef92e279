"""The sections of the page, a file each. The registry finds them, and the page has them in the order that they give."""
