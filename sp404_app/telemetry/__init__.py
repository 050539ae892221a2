"""What operators measure: metrics of all processes, and reports of unexpected errors."""
