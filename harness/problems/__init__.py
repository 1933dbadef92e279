"""Problems, a file each. A new file here is found without being named anywhere."""
