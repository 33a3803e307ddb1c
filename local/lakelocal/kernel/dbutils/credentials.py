"""`dbutils.credentials`: rights in a cloud, all of which are refused: there is no cloud behind this machine.

Source: Databricks documentation, "Credentials utility (dbutils.credentials)".
"""

from lakelocal.kernel.dbutils.help import HasHelp

_NO_ROLES = "there are no roles of a cloud on this machine; give the library its own credentials by dbutils.secrets"


class Credentials(HasHelp):
    """Roles and service credentials, which do not exist on this machine."""

    _name = "dbutils.credentials"
    _refused = dict.fromkeys(
        ("assumeRole", "showCurrentRole", "showRoles", "getServiceCredentialsProvider", "getCurrentCredentials"),
        _NO_ROLES,
    )
