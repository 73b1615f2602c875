// Command schema writes what the plugin embeds: the Pulumi schema, and which half serves which resource.
package main

import (
	"hypercompose.local/proxmoxve/bridge"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"
)

func main() {
	tfgen.MainWithMuxer(bridge.Name, bridge.Provider([]byte("{}")))
}
