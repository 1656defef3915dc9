"""The second place, where checkpoints are written: a folder, a bucket of S3, or a mailbox.

It is to be out of reach of whoever can change the database. What is written there is small, public
and never changed.
"""
