"""Makes Spark's errors readable: without the details for Spark's developers, and in plain words.

messages   shortens the message of an error, and rewords common ones
in_worker  finds out from the message how a user's function failed in a Spark worker
"""
