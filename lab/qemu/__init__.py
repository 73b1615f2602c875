"""One guest with a kernel of its own, under QEMU: for what a container's borrowed kernel cannot do, as CIFS."""
