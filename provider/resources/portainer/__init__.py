"""What is told to a Portainer server: `hypercompose:portainer:<Type>`."""
