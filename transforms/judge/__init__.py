"""What a definition asks of an episode and its trials: eligible, adequate, failed, resistant."""
