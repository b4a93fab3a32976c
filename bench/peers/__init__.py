"""What users would pick instead: one module for each server, its packages in an `.in` file and, hashed, in a `.txt`."""
