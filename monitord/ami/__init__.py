"""All that knows AMI, and the only room that imports panoramisk."""
