"""Forms in the house's clothes: each control knows its hint and its errors."""

from django import forms


class Dressed(forms.BaseForm):
    """Gives every control its style, and ties hint and errors to it for screen readers."""

    def __getitem__(self, name: str):
        bound = super().__getitem__(name)
        field, attrs = bound.field, bound.field.widget.attrs
        if not isinstance(field.widget, forms.CheckboxInput | forms.RadioSelect | forms.HiddenInput):
            attrs.setdefault("class", "in")
        described = [f"{bound.id_for_label}-h"] if field.help_text else []
        if self.is_bound and bound.errors:
            attrs["aria-invalid"] = "true"
            described += [f"{bound.id_for_label}-e{n}" for n in range(1, len(bound.errors) + 1)]
        if described:
            attrs["aria-describedby"] = " ".join(described)
        return bound
