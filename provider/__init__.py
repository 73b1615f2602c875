"""The native provider: joins Pulumi's engine to provisioning/. Thin."""
