"""Records as a new server has them, field by field as recorded."""

from __future__ import annotations

import copy
from typing import Any

from lab.portainer import VERSION

Record = dict[str, Any]
NO_TLS: Record = {"TLS": False, "TLSSkipVerify": False}
EDGE: Record = {"AsyncMode": False, "PingInterval": 0, "SnapshotInterval": 0, "CommandInterval": 0}

_SETTINGS: Record = {
    "LogoURL": "",
    "BlackListedLabels": [],
    "AuthenticationMethod": 1,
    "InternalAuthSettings": {"RequiredPasswordLength": 12},
    "LDAPSettings": {
        "AnonymousMode": True,
        "ReaderDN": "",
        "URL": "",
        "TLSConfig": NO_TLS,
        "StartTLS": False,
        "SearchSettings": [{"BaseDN": "", "Filter": "", "UserNameAttribute": ""}],
        "GroupSearchSettings": [{"GroupBaseDN": "", "GroupFilter": "", "GroupAttribute": ""}],
        "AutoCreateUsers": True,
    },
    "OAuthSettings": {
        **dict.fromkeys(("ClientID", "AccessTokenURI", "AuthorizationURI", "ResourceURI", "RedirectURI"), ""),
        "UserIdentifier": "",
        "Scopes": "",
        "OAuthAutoCreateUsers": False,
        "DefaultTeamID": 0,
        "SSO": True,
        "LogoutURI": "",
        "KubeSecretKey": None,
        "AuthStyle": 0,
    },
    "openAMTConfiguration": {
        "enabled": False,
        **dict.fromkeys(("mpsServer", "mpsUser", "mpsPassword", "mpsToken", "certFileName", "certFileContent"), ""),
        "certFilePassword": "",
        "domainName": "",
    },
    "FeatureFlagSettings": None,
    "SnapshotInterval": "",
    "TemplatesURL": "",
    "GlobalDeploymentOptions": {"hideStacksFunctionality": False},
    "EdgeAgentCheckinInterval": 5,
    "EnableEdgeComputeFeatures": False,
    "UserSessionTimeout": "8h",
    "KubeconfigExpiry": "0",
    "EnableTelemetry": False,
    "HelmRepositoryURL": "https://charts.bitnami.com/bitnami",
    "KubectlShellImage": f"portainer/kubectl-shell:{VERSION}",
    "TrustOnFirstConnect": False,
    "EnforceEdgeID": False,
    "AgentSecret": "",
    "EdgePortainerUrl": "",
    "Edge": {"CommandInterval": 0, "PingInterval": 0, "SnapshotInterval": 0},
}

_KUBERNETES: Record = {
    "Snapshots": [],
    "Configuration": {
        "UseLoadBalancer": False,
        "UseServerMetrics": False,
        "EnableResourceOverCommit": True,
        "ResourceOverCommitPercentage": 0,
        "StorageClasses": [],
        "IngressClasses": [],
        "RestrictDefaultNamespace": False,
        "IngressAvailabilityPerNamespace": False,
        "AllowNoneIngressClass": False,
    },
    "Flags": dict.fromkeys(
        ("IsServerMetricsDetected", "IsServerIngressClassDetected", "IsServerStorageDetected"), False
    ),
}

_SECURITY: Record = {
    "allowBindMountsForRegularUsers": True,
    "allowPrivilegedModeForRegularUsers": True,
    "allowVolumeBrowserForRegularUsers": False,
    "allowHostNamespaceForRegularUsers": True,
    "allowDeviceMappingForRegularUsers": True,
    "allowStackManagementForRegularUsers": True,
    "allowContainerCapabilitiesForRegularUsers": True,
    "allowSysctlSettingForRegularUsers": True,
    "enableHostManagementFeatures": False,
}


def settings() -> Record:
    """Settings before anybody changed one."""
    return copy.deepcopy(_SETTINGS)


def endpoint(number: int, name: str, url: str, **fields: object) -> Record:
    """An environment; `fields` replace what differs."""
    record: Record = {
        "Id": number,
        "Name": name,
        "Type": 1,
        "ContainerEngine": "",
        "URL": url,
        "GroupId": 1,
        "PublicURL": "",
        "Gpus": [],
        "TLSConfig": NO_TLS,
        "AzureCredentials": {"ApplicationID": "", "TenantID": "", "AuthenticationKey": ""},
        "TagIds": [],
        "Status": 1,
        "Snapshots": [],
        "UserAccessPolicies": {},
        "TeamAccessPolicies": {},
        "EdgeKey": "",
        "EdgeCheckinInterval": 0,
        "Kubernetes": _KUBERNETES,
        "ComposeSyntaxMaxVersion": "",
        "SecuritySettings": _SECURITY,
        "LastCheckInDate": 0,
        "QueryDate": 0,
        "Heartbeat": False,
        "PostInitMigrations": {"MigrateIngresses": False, "MigrateGPUs": False},
        "Edge": EDGE,
        "Agent": {"Version": ""},
        "AuthorizedUsers": None,
        "AuthorizedTeams": None,
        "Tags": None,
    }
    return copy.deepcopy(record | fields)


def group(number: int, name: str, description: str, tags: list[Any]) -> Record:
    """A group of environments."""
    return {
        "Id": number,
        "Name": name,
        "Description": description,
        "UserAccessPolicies": {},
        "TeamAccessPolicies": {},
        "TagIds": tags,
        "Labels": None,
        "AuthorizedUsers": None,
        "AuthorizedTeams": None,
    }


def user(number: int, name: str, password: str, role: int) -> Record:
    """A user, with the hash of the password."""
    return {
        "Id": number,
        "Username": name,
        "Password": password,
        "Role": role,
        "TokenIssueAt": 0,
        "ThemeSettings": {"color": ""},
        "UseCache": False,
        "PortainerAuthorizations": None,
        "EndpointAuthorizations": None,
    }


def stack(number: int, name: str, endpoint_id: int, entry_point: str, **fields: object) -> Record:
    """A stack of Docker Compose; `fields` replace what differs."""
    record: Record = {
        "Id": number,
        "Name": name,
        "Type": 2,
        "EndpointId": endpoint_id,
        "SwarmId": "",
        "EntryPoint": entry_point,
        "Env": None,
        "ResourceControl": None,
        "Status": 1,
        "ProjectPath": "",
        "CreationDate": 0,
        "CreatedBy": "",
        "UpdateDate": 0,
        "UpdatedBy": "",
        "AdditionalFiles": None,
        "AutoUpdate": None,
        "Option": None,
        "GitConfig": None,
        "FromAppTemplate": False,
        "Namespace": "",
    }
    return copy.deepcopy(record | fields)
