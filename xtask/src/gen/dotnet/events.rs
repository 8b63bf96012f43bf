//! `Events.g.cs`: the argument classes, the handler types, the events and what turns a C callback into one.

use super::{camel, cs_type, param_name, summary};
use crate::model::{Api, Event, EventField, Type};

pub fn body(api: &Api) -> String {
    let mut out = String::new();
    for event in &api.events {
        out += &arguments(event);
    }
    out += "    public sealed partial class Ssmtp\n    {\n";
    for event in &api.events {
        out += &member(event);
    }
    out.trim_end().to_string() + "\n    }\n"
}

fn arguments(event: &Event) -> String {
    let spec = &event.spec;
    let mut out = summary(4, &format!("Handles the event On{spec}."));
    out += &format!("    public delegate void On{spec}Handler(object sender, Ssmtp{spec}EventArgs e);\n\n");
    out += &summary(4, &event.doc);
    out += &format!("    public class Ssmtp{spec}EventArgs : EventArgs\n    {{\n");
    out += &format!("        internal Ssmtp{spec}EventArgs(ref Native.{spec}Event e)\n        {{\n");
    for field in &event.fields {
        out += &format!("            {} = {};\n", field.spec, read(field));
    }
    out += "        }\n";
    for field in &event.fields {
        let access = if field.inout { "{ get; set; }" } else { "{ get; }" };
        let ty = cs_type(&Type::parse(&field.type_name));
        out += &format!("\n{}        public {ty} {} {access}\n", summary(8, &field.doc), field.spec);
    }
    out + "    }\n\n"
}

fn read(field: &EventField) -> String {
    let name = param_name(&field.name);
    match Type::parse(&field.type_name) {
        Type::Bool => format!("e.{name} != 0"),
        Type::Text => format!("Utf8.Read(e.{name}, e.{}_len)", field.name),
        Type::Bytes => format!("Octets.Read(e.{name}, e.{}_len)", field.name),
        Type::Enum(spec) => format!("({})e.{name}", super::enum_name(&spec)),
        _ => format!("e.{name}"),
    }
}

fn member(event: &Event) -> String {
    let spec = &event.spec;
    let field = format!("{}Handlers", camel(&event.name));
    let mut back = String::new();
    for f in event.fields.iter().filter(|f| f.inout) {
        let value = match Type::parse(&f.type_name) {
            Type::Bool => format!("args.{} ? 1 : 0", f.spec),
            _ => format!("args.{}", f.spec),
        };
        back += &format!("                e.{} = {value};\n", f.name);
    }
    format!(
        "        private static readonly Native.{spec}Callback {spec}Fired = Fire{spec};
        private On{spec}Handler {field};

{doc}        public event On{spec}Handler On{spec}
        {{
            add
            {{
                lock (handlerLock)
                {{
                    {field} += value;
                    Check(Native.ssmtp_on_{name}(handle, {spec}Fired, IntPtr.Zero));
                }}
            }}
            remove
            {{
                lock (handlerLock)
                {{
                    {field} -= value;
                    if ({field} == null && !handle.IsClosed)
                    {{
                        Check(Native.ssmtp_on_{name}(handle, null, IntPtr.Zero));
                    }}
                }}
            }}
        }}

        private static int Fire{spec}(IntPtr handle, ref Native.{spec}Event e, IntPtr userdata)
        {{
            Ssmtp sender = SsmtpHandle.OwnerOf(handle);
            On{spec}Handler handlers = sender == null ? null : sender.{field};
            if (handlers == null)
            {{
                return 0;
            }}
            if (Kept.IsSet(handle))
            {{
                return 1;
            }}
            try
            {{
                var args = new Ssmtp{spec}EventArgs(ref e);
                handlers(sender, args);
{back}                return 0;
            }}
            catch (Exception error)
            {{
                Kept.Set(handle, error);
                return 1;
            }}
        }}

",
        doc = summary(8, &event.doc),
        name = event.name,
    )
}
