// Package bridge presents the Terraform provider for Proxmox VE (bpg) to Pulumi, by the names and types
// that the published pulumi-proxmoxve SDK uses.
package bridge

import (
	"context"
	"fmt"

	"github.com/bpg/terraform-provider-proxmox/fwprovider"
	"github.com/bpg/terraform-provider-proxmox/proxmoxtf/provider"
	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Name is the package name in Pulumi's type tokens.
const Name = "proxmoxve"

// Version is that of the SDK this plugin answers; the engine asks for it by this number. The build sets it.
var Version = "0.0.0"

// Provider joins the two halves of the Terraform provider (one per generation of Terraform's SDK) and names
// everything in them. The metadata says which half serves which resource; the schema generator writes it.
func Provider(metadata []byte) tfbridge.ProviderInfo {
	old := sdkv2.NewProvider(provider.ProxmoxVirtualEnvironment())
	info := tfbridge.ProviderInfo{
		P:            pf.MuxShimWithPF(context.Background(), old, fwprovider.New(Version)()),
		Name:         "proxmox",
		Version:      Version,
		Resources:    map[string]*tfbridge.ResourceInfo{},
		MetadataInfo: tfbridge.NewProviderMetadata(metadata),
	}
	exposeOddIDs(&info)
	info.MustComputeTokens(tfbridge.Strategy{Resource: nameResource, DataSource: nameDataSource})
	return info
}

// renamedIDs are properties that the published SDK calls by a name of their own.
var renamedIDs = map[string]string{"proxmox_sdn_controller_evpn": "sdnControllerEvpnId"}

// exposeOddIDs gives resources whose Terraform `id` is a number or chosen by the user a property
// `resourceId` of type string: a Pulumi id is text that only the provider sets.
func exposeOddIDs(info *tfbridge.ProviderInfo) {
	info.P.ResourcesMap().Range(func(name string, described shim.Resource) bool {
		id, ok := described.Schema().GetOk("id")
		if ok && (id.Type() != shim.TypeString || id.Optional() || id.Required()) {
			property := "resourceId"
			if renamed, ok := renamedIDs[name]; ok {
				property = renamed
			}
			info.Resources[name] = &tfbridge.ResourceInfo{
				ComputeID: idFrom(resource.PropertyKey(property)),
				Fields:    map[string]*tfbridge.SchemaInfo{"id": {Name: property, Type: "string"}},
			}
		}
		return true
	})
}

// idFrom reads the Pulumi id from the renamed Terraform one.
func idFrom(property resource.PropertyKey) tfbridge.ComputeID {
	return func(_ context.Context, state resource.PropertyMap) (resource.ID, error) {
		switch value := state[property]; {
		case value.IsString():
			return resource.ID(value.StringValue()), nil
		case value.IsNumber():
			return resource.ID(fmt.Sprintf("%.0f", value.NumberValue())), nil
		}
		return "", fmt.Errorf("the provider returned no %s", property)
	}
}

func nameResource(terraform string, info *tfbridge.ResourceInfo) error {
	module, name := Token(terraform)
	info.Tok = tfbridge.MakeResource(Name, module, name)
	return nil
}

func nameDataSource(terraform string, info *tfbridge.DataSourceInfo) error {
	module, name := Token(terraform)
	info.Tok = tfbridge.MakeDataSource(Name, module, "get"+name)
	return nil
}
