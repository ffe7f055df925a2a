"""What agents are told of supervisions on them, and what supervisors say why they supervised."""
