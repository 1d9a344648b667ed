"""`landbridge schema`: what files and tables look like, for editors and other systems."""
