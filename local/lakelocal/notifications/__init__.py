"""Notifications of Lakeflow Jobs: who hears of what, what they read, and how it reaches them.

| module       | what it does                                                                    |
| ------------ | ------------------------------------------------------------------------------- |
| `occasion`   | what happened, to which job, run, task and attempt                              |
| `rules`      | pure: an occasion -> its destinations, by all switches of the job and the task  |
| `messages`   | pure: an occasion -> an e-mail or the payload of a webhook for each destination |
| `outbox`     | keeps every message as a file of the state folder                               |
| `settings`   | `.local/notifications.yml`: the SMTP server and the URLs of webhooks, if any    |
| `transport`  | sends one message                                                               |
| `dispatcher` | sends in the background, and says once what does not arrive                     |
| `notifier`   | the listener of a run: all of these together                                    |

Nothing here imports `lakelocal.jobs`, which tells the listener.
"""
