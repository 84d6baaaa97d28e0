"""The commands of `forecast questions`: the ledger of questions, predictions and scores."""
