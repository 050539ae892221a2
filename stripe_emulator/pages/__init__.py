"""The pages that a person sees: plain HTML from the server, without JavaScript."""
