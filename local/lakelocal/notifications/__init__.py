"""Notifications of Lakeflow Jobs: who hears of what, what they read, and how it reaches them.

| module       | what it does                                                                    |
| ------------ | ------------------------------------------------------------------------------- |
| `occasion`   | what happened, to which job, run, task and attempt                              |
| `rules`      | pure: is anyone told of an occasion, by all switches of the job and the task    |
| `wording`    | pure: an occasion in words                                                      |
| `channels`   | e-mail and webhooks: whom each tells, what it says, what sends it               |
| `messages`   | an occasion -> the messages of all channels                                     |
| `outbox`     | keeps every message as a file of the state folder                               |
| `settings`   | `.local/notifications.yml`: what sends the messages of each channel, if anything |
| `dispatcher` | sends in the background, and says once what does not arrive                     |
| `notifier`   | the listener of a run: all of these together                                    |

Nothing here imports `lakelocal.jobs`, which tells the listener.
"""
