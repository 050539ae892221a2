"""State of the dialog and the page of public links, and of the operator's list of reports."""
