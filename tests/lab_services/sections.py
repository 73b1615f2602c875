"""Sections of a site file that declare the services, for labs of tests in the domain test.internal."""

REGISTRY, PACKAGES = "registry.test.internal:5000", "http://packages.test.internal:8081"
SECTIONS = f"""
docker:
  dnf: {{url: "{PACKAGES}/rpm/9/docker", key: docker.asc}}
  apt: {{url: "{PACKAGES}/apt/docker", suite: trixie, components: [stable], key: docker.asc}}
  versions: {{}}
registry: {{url: "https://{REGISTRY}", ca: ca.crt, user: lab, proof: {{image: "lab/probe:1", port: 8080}}}}
"""
GIT_URL = "https://git.test.internal:3443"
GIT = f'git: {{url: "{GIT_URL}", ca: ca.crt, user: lab, repository: hypercompose/deployments}}\n'
