"""What is true about calls, agents and supervisions: pure rules without I/O, clock or logging."""
