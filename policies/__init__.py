"""Rules that every stack must meet, as a policy pack. It looks at inputs of resources, and changes nothing."""
