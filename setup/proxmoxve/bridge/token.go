package bridge

import "strings"

// Token splits a Terraform name into the module and the name of pulumi-proxmoxve's type token: all words but
// the last are the module (`index` if there are none), the last is the name. The provider's older names carry
// the product's name in full; the SDK marks those `Legacy`.
//
//	proxmox_virtual_environment_vm          index         VmLegacy
//	proxmox_virtual_environment_network_dns network       DnsLegacy
//	proxmox_sdn_zone_simple                 sdn/zone      Simple
func Token(terraform string) (module, name string) {
	rest, legacy := strings.CutPrefix(terraform, "proxmox_virtual_environment_")
	rest = strings.TrimPrefix(rest, "proxmox_")
	words := strings.Split(rest, "_")
	last := words[len(words)-1]
	name = strings.ToUpper(last[:1]) + last[1:]
	if legacy {
		name += "Legacy"
	}
	if len(words) == 1 {
		return "index", name
	}
	return strings.Join(words[:len(words)-1], "/"), name
}
