"""Notifications of Lakeflow Jobs: who is notified of what, what the messages say, and how they are delivered.

| module       | what it does                                                                     |
| ------------ | -------------------------------------------------------------------------------- |
| `occasion`   | what happened, and to which job, run, task and attempt                           |
| `rules`      | pure: is anyone notified of an occasion, by the switches of the job and the task |
| `wording`    | pure: an occasion in words                                                       |
| `channels`   | e-mail and webhooks: the recipients, contents and delivery of each               |
| `messages`   | an occasion -> the messages of all channels                                      |
| `outbox`     | keeps every message as a file of the state folder                                |
| `settings`   | `.local/notifications.yml`: what sends the messages of each channel, if anything |
| `dispatcher` | sends in the background, and reports each failing destination once               |
| `notifier`   | the listener of a run: all of these together                                     |

Nothing here imports `lakelocal.jobs`, which calls the listener.
"""
