"""What Spark's errors say, for people: without what Spark adds for itself, and in plain words.

messages   the message of an error, and its common forms in plain words
in_worker  what a user's function did in a worker of Spark, found in the message
"""
