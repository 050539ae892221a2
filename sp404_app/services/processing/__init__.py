"""Background processing of samples: jobs, analysis requests, reanalysis and the sandbox."""
