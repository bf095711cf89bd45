"""Networks and layers that two methods or more share."""
