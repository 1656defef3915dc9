"""Reading the files that lists come in: pure, row by row, in bounded memory."""
