"""Tests of the lab's Windows side: companions, mount.cifs of the guests, and the guest with a kernel of its own."""
