"""`dbutils.credentials`: credentials in a cloud, which are all refused, since there is no cloud behind this machine.

Source: Databricks documentation, "Credentials utility (dbutils.credentials)".
"""

from lakelocal.kernel.dbutils.help import HasHelp

_NO_ROLES = "this machine has no roles in a cloud; give the library its own credentials, from dbutils.secrets"


class Credentials(HasHelp):
    """Roles and service credentials, which do not exist on this machine."""

    _name = "dbutils.credentials"
    _refused = dict.fromkeys(
        ("assumeRole", "showCurrentRole", "showRoles", "getServiceCredentialsProvider", "getCurrentCredentials"),
        _NO_ROLES,
    )
