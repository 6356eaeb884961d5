"""What is made of recordings after their end, and where the files of them are uploaded."""
