"""Who is told of a case: the directory of authorities, who of them it is for, and until when."""
