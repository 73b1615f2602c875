// Command pulumi-resource-proxmoxve is the Proxmox VE provider as a Pulumi plugin.
package main

import (
	"context"
	_ "embed"

	"hypercompose.local/proxmoxve/bridge"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
)

// Both files are written by `go run ./cmd/schema` before this is compiled.
var (
	//go:embed schema.json
	schema []byte
	//go:embed bridge-metadata.json
	metadata []byte
)

func main() {
	tfbridge.MainWithMuxer(context.Background(), bridge.Name, bridge.Provider(metadata), schema)
}
