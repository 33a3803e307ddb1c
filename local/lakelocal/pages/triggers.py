"""What started a run or an update, in the words of Databricks' pages."""

MANUAL = "Manual"
_WORDS = {"ONE_TIME": MANUAL, "PERIODIC": "Scheduled", "TABLE": "Table update", "API_CALL": "API call"}


def trigger_in_words(trigger: str) -> str:
    """*trigger*, a `TriggerType` or an `UpdateInfoCause` of the API, in words: `Manual`, `Run job task`."""
    return _WORDS.get(trigger) or trigger.replace("_", " ").capitalize()
