"""RQ entry points: ids in, load, measure, save."""
