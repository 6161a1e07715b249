# ruff: noqa: E501 - a sentence of the registry is one line
"""
The messages of Redfish's Base registry that odim-relay says: in answers of its API, and in events of its own.

Source: Base 1.22.1. Texts, numbers of arguments and severities are the registry's; a test compares them with it.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

REGISTRY = "Base.1.22"
MESSAGE_TYPE = "#Message.v1_3_0.Message"


@dataclass(frozen=True, slots=True)
class BaseMessage:
    """
    One entry of the registry. `%1`, `%2`, ... in `text` stand for the arguments.
    """

    text: str
    argument_count: int
    severity: str
    resolution: str


def message(key: str, *arguments: object, related: tuple[str, ...] = ()) -> dict[str, Any]:
    """
    A Message object for `@Message.ExtendedInfo`.

    Args:
        key: of the registry: `PropertyUnknown`.
        arguments: as many as the entry wants; they become strings.
        related: JSON pointers to the properties that are meant, for `RelatedProperties`.

    Raises:
        ValueError: as many arguments were not asked for. A fault of ours.
    """
    entry = MESSAGES[key]
    if len(arguments) != entry.argument_count:
        raise ValueError(f"{key} takes {entry.argument_count} arguments, not {len(arguments)}")
    texts = [str(argument) for argument in arguments]
    return {
        "@odata.type": MESSAGE_TYPE,
        "MessageId": f"{REGISTRY}.{key}",
        "Message": filled(entry.text, texts),
        "MessageArgs": texts,
        "MessageSeverity": entry.severity,
        "Resolution": entry.resolution,
        **({"RelatedProperties": list(related)} if related else {}),
    }


def filled(text: str, arguments: list[str]) -> str:
    """
    The text with its arguments; one that holds `%1` itself is not filled again.
    """
    pieces = text.split("%")
    told = [pieces[0]]
    for piece in pieces[1:]:
        number = int(piece[0]) if piece[:1].isdigit() else 0
        told.append(arguments[number - 1] + piece[1:] if 0 < number <= len(arguments) else f"%{piece}")
    return "".join(told)


MESSAGES: MappingProxyType[str, BaseMessage] = MappingProxyType(
    {
        "ActionNotSupported": BaseMessage(
            "The action %1 is not supported by the resource.",
            1,
            "Critical",
            "Check the Actions property in the resource for the supported actions.",
        ),
        "ActionParameterMissing": BaseMessage(
            "The action %1 requires the parameter %2 to be present in the request body.",
            2,
            "Critical",
            "Supply the action with the required parameter in the request body when the request is resubmitted.",
        ),
        "ActionParameterUnknown": BaseMessage(
            "The action %1 was submitted with the invalid parameter %2.",
            2,
            "Warning",
            "Correct the invalid action parameter and resubmit the request if the operation failed.",
        ),
        "ActionParameterValueFormatError": BaseMessage(
            "The value '%1' for the parameter %2 in the action %3 is not a format that the parameter can accept.",
            3,
            "Warning",
            "Correct the value for the parameter in the request body and resubmit the request if the operation failed.",
        ),
        "ActionParameterValueNotInList": BaseMessage(
            "The value '%1' for the parameter %2 in the action %3 is not in the list of acceptable values.",
            3,
            "Warning",
            "Choose a value from the enumeration list that the implementation can support and resubmit the request if the operation failed.",
        ),
        "ActionParameterValueOutOfRange": BaseMessage(
            "The value '%1' for the parameter %2 in the action %3 is not in the supported range of acceptable values.",
            3,
            "Warning",
            "Correct the value for the parameter in the request body and resubmit the request if the operation failed.",
        ),
        "ActionParameterValueTypeError": BaseMessage(
            "The value '%1' for the parameter %2 in the action %3 is not a type that the parameter can accept.",
            3,
            "Warning",
            "Correct the value for the parameter in the request body and resubmit the request if the operation failed.",
        ),
        "ArraySizeTooLong": BaseMessage(
            "The array provided for property %1 exceeds the size limit %2.",
            2,
            "Warning",
            "Resubmit the request with an appropriate array size.",
        ),
        "ArraySizeTooShort": BaseMessage(
            "The array provided for property %1 is under the minimum size limit %2.",
            2,
            "Warning",
            "Resubmit the request with an appropriate array size.",
        ),
        "CreateLimitReachedForResource": BaseMessage(
            "The create operation failed because the resource has reached the limit of possible resources.",
            0,
            "Critical",
            "Either delete resources and resubmit the request if the operation failed or do not resubmit the request.",
        ),
        "Created": BaseMessage("The resource was created successfully.", 0, "OK", "None."),
        "EmptyJSON": BaseMessage(
            "The request body submitted contained an empty JSON object and the service is unable to process it.",
            0,
            "Warning",
            "Add properties in the JSON object and resubmit the request.",
        ),
        "EventBufferExceeded": BaseMessage(
            "Undelivered events may have been lost due to exceeding the event buffer.", 0, "Warning", "None."
        ),
        "EventSubscriptionLimitExceeded": BaseMessage(
            "The event subscription failed due to the number of simultaneous subscriptions exceeding the limit of the implementation.",
            0,
            "Critical",
            "Reduce the number of other subscriptions before trying to establish the event subscription or increase the limit of simultaneous subscriptions, if supported.",
        ),
        "GeneralError": BaseMessage(
            "A general error has occurred.  See Resolution for information on how to resolve the error, or @Message.ExtendedInfo if Resolution is not provided.",
            0,
            "Critical",
            "None.",
        ),
        "HeaderInvalid": BaseMessage(
            "Header '%1' is invalid.", 1, "Critical", "Resubmit the request with a valid request header."
        ),
        "HeaderMissing": BaseMessage(
            "Required header '%1' is missing in the request.",
            1,
            "Critical",
            "Resubmit the request with the required request header.",
        ),
        "InsufficientPrivilege": BaseMessage(
            "There are insufficient privileges for the account or credentials associated with the current session to perform the requested operation.",
            0,
            "Critical",
            "Either abandon the operation or change the associated access rights and resubmit the request if the operation failed.",
        ),
        "InternalError": BaseMessage(
            "The request failed due to an internal service error.  The service is still operational.",
            0,
            "Critical",
            "Resubmit the request.  If the problem persists, consider resetting the service.",
        ),
        "InvalidJSON": BaseMessage(
            "The request body submitted is invalid JSON starting at line %1 and could not be parsed by the receiving service.",
            1,
            "Critical",
            "Ensure that the request body is valid JSON and resubmit the request.",
        ),
        "MalformedJSON": BaseMessage(
            "The request body submitted was malformed JSON and could not be parsed by the receiving service.",
            0,
            "Critical",
            "Ensure that the request body is valid JSON and resubmit the request.",
        ),
        "NoOperation": BaseMessage(
            "The request body submitted contain no data to act upon and no changes to the resource took place.",
            0,
            "Warning",
            "Add properties in the JSON object and resubmit the request.",
        ),
        "NoValidSession": BaseMessage(
            "There is no valid session established with the implementation.",
            0,
            "Critical",
            "Establish a session before attempting any operations.",
        ),
        "OperationNotAllowed": BaseMessage("The HTTP method is not allowed on this resource.", 0, "Critical", "None."),
        "PasswordChangeRequired": BaseMessage(
            "The password provided for this account must be changed before access is granted.  PATCH the Password property for this account located at the target URI '%1' to complete this process.",
            1,
            "Critical",
            "Change the password for this account using a PATCH to the Password property at the URI provided.",
        ),
        "PayloadTooLarge": BaseMessage(
            "The supplied payload exceeds the maximum size supported by the service.",
            0,
            "Critical",
            "Check that the supplied payload is correct and supported by this service.",
        ),
        "PreconditionFailed": BaseMessage(
            "The ETag supplied did not match the ETag required to change this resource.",
            0,
            "Critical",
            "Try the operation again using the appropriate ETag.",
        ),
        "PreconditionRequired": BaseMessage(
            "A precondition header or annotation is required to change this resource.",
            0,
            "Critical",
            "Try the operation again using an If-Match or If-None-Match header and appropriate ETag.",
        ),
        "PropertyDuplicate": BaseMessage(
            "The property %1 was duplicated in the request.",
            1,
            "Warning",
            "Remove the duplicate property from the request body and resubmit the request if the operation failed.",
        ),
        "PropertyMissing": BaseMessage(
            "The property %1 is a required property and must be included in the request.",
            1,
            "Warning",
            "Ensure that the property is in the request body and has a valid value and resubmit the request if the operation failed.",
        ),
        "PropertyNotWritable": BaseMessage(
            "The property %1 is a read-only property and cannot be assigned a value.",
            1,
            "Warning",
            "Remove the property from the request body and resubmit the request if the operation failed.",
        ),
        "PropertyUnknown": BaseMessage(
            "The property %1 is not in the list of valid properties for the resource.",
            1,
            "Warning",
            "Remove the unknown property from the request body and resubmit the request if the operation failed.",
        ),
        "PropertyValueConflict": BaseMessage(
            "The property '%1' could not be written because its value would conflict with the value of the '%2' property.",
            2,
            "Warning",
            "None.",
        ),
        "PropertyValueError": BaseMessage(
            "The value provided for the property %1 is not valid.",
            1,
            "Warning",
            "Correct the value for the property in the request body and resubmit the request if the operation failed.",
        ),
        "PropertyValueFormatError": BaseMessage(
            "The value '%1' for the property %2 is not a format that the property can accept.",
            2,
            "Warning",
            "Correct the value for the property in the request body and resubmit the request if the operation failed.",
        ),
        "PropertyValueIncorrect": BaseMessage(
            "The property '%1' with the requested value of '%2' could not be written because the value is not acceptable for the property.",
            2,
            "Warning",
            "None.",
        ),
        "PropertyValueNotInList": BaseMessage(
            "The value '%1' for the property %2 is not in the list of acceptable values.",
            2,
            "Warning",
            "Choose a value from the enumeration list that the implementation can support and resubmit the request if the operation failed.",
        ),
        "PropertyValueOutOfRange": BaseMessage(
            "The value '%1' for the property %2 is not in the supported range of acceptable values.",
            2,
            "Warning",
            "Correct the value for the property in the request body and resubmit the request if the operation failed.",
        ),
        "PropertyValueTypeError": BaseMessage(
            "The value '%1' for the property %2 is not a type that the property can accept.",
            2,
            "Warning",
            "Correct the value for the property in the request body and resubmit the request if the operation failed.",
        ),
        "QueryCombinationInvalid": BaseMessage(
            "Two or more query parameters in the request cannot be used together.",
            0,
            "Warning",
            "Remove one or more of the query parameters and resubmit the request if the operation failed.",
        ),
        "QueryNotSupported": BaseMessage(
            "Querying is not supported by the implementation.",
            0,
            "Warning",
            "Remove the query parameters and resubmit the request if the operation failed.",
        ),
        "QueryNotSupportedOnOperation": BaseMessage(
            "Querying is not supported with the requested operation.",
            0,
            "Warning",
            "Remove the query parameters and resubmit the request if the operation failed.",
        ),
        "QueryNotSupportedOnResource": BaseMessage(
            "Querying is not supported on the requested resource.",
            0,
            "Warning",
            "Remove the query parameters and resubmit the request if the operation failed.",
        ),
        "QueryParameterOutOfRange": BaseMessage(
            "The value '%1' for the query parameter %2 is out of range %3.",
            3,
            "Warning",
            "Reduce the value for the query parameter to a value that is within range, such as a start or count value that is within bounds of the number of resources in a collection or a page number that is within the range of valid pages.",
        ),
        "QueryParameterUnsupported": BaseMessage(
            "Query parameter '%1' is not supported.",
            1,
            "Warning",
            "Correct or remove the query parameter and resubmit the request.",
        ),
        "QueryParameterValueFormatError": BaseMessage(
            "The value '%1' for the parameter %2 is not a format that the parameter can accept.",
            2,
            "Warning",
            "Correct the value for the query parameter in the request and resubmit the request if the operation failed.",
        ),
        "QueryParameterValueTypeError": BaseMessage(
            "The value '%1' for the query parameter %2 is not a type that the parameter can accept.",
            2,
            "Warning",
            "Correct the value for the query parameter in the request and resubmit the request if the operation failed.",
        ),
        "ResourceAlreadyExists": BaseMessage(
            "The requested resource of type %1 with the property %2 with the value '%3' already exists.",
            3,
            "Critical",
            "Do not repeat the create operation as the resource was already created.",
        ),
        "ResourceAtUriUnauthorized": BaseMessage(
            "While accessing the resource at '%1', the service received an authorization error '%2'.",
            2,
            "Critical",
            "Ensure that the appropriate access is provided for the service in order for it to access the URI.",
        ),
        "ResourceCannotBeDeleted": BaseMessage(
            "The delete request failed because the resource requested cannot be deleted.",
            0,
            "Critical",
            "Do not attempt to delete a non-deletable resource.",
        ),
        "ResourceMissingAtURI": BaseMessage(
            "The resource at the URI '%1' was not found.",
            1,
            "Critical",
            "Place a valid resource at the URI or correct the URI and resubmit the request.",
        ),
        "ResourceNotFound": BaseMessage(
            "The requested resource of type %1 named '%2' was not found.",
            2,
            "Critical",
            "Provide a valid resource identifier and resubmit the request.",
        ),
        "ServiceDisabled": BaseMessage(
            "The operation failed because the service at %1 is disabled and cannot accept requests.",
            1,
            "Warning",
            "Enable the service and resubmit the request if the operation failed.",
        ),
        "ServiceTemporarilyUnavailable": BaseMessage(
            "The service is temporarily unavailable.  Retry in %1 seconds.",
            1,
            "Critical",
            "Wait for the indicated retry duration and retry the operation.",
        ),
        "SessionLimitExceeded": BaseMessage(
            "The session establishment failed due to the number of simultaneous sessions exceeding the limit of the implementation.",
            0,
            "Critical",
            "Reduce the number of other sessions before trying to establish the session or increase the limit of simultaneous sessions, if supported.",
        ),
        "StringValueTooLong": BaseMessage(
            "The string '%1' exceeds the length limit %2.",
            2,
            "Warning",
            "Resubmit the request with an appropriate string length.",
        ),
        "StringValueTooShort": BaseMessage(
            "The string '%1' was under the minimum required length %2.",
            2,
            "Warning",
            "Resubmit the request with an appropriate string length.",
        ),
        "SubscriptionTerminated": BaseMessage("The event subscription was terminated.", 0, "OK", "None."),
        "Success": BaseMessage("The request completed successfully.", 0, "OK", "None."),
        "UnrecognizedRequestBody": BaseMessage(
            "The service detected a malformed request body that it was unable to interpret.",
            0,
            "Warning",
            "Correct the request body and resubmit the request if it failed.",
        ),
    }
)
